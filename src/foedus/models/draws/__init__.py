"""Laws from which outcomes are drawn, one module a family; see `foedus.models.drawing`."""
