"""One module a data set: its columns and its `read` function, named like its YAML's `dataset`."""
