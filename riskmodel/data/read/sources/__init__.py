"""The sources an LA holds, one module each; a file is known by its column names."""
