from foedus.api import covariate as covariate
from foedus.api import estimate as estimate
from foedus.api import model_table as model_table
from foedus.api import panel as panel
from foedus.api import source as source
from foedus.api import study as study
from foedus.api import table as table

__version__: str
