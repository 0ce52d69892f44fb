"""Print the versions that this environment holds as pip constraints: `make constraints`."""

from importlib import metadata

print("# What the commands of the README install; written by `make constraints`.")
print("# torch is pinned to a release whose CPU build is preferred where an index offers it (…+cpu).")
packages = {}
for distribution in metadata.distributions():
    name = distribution.metadata["Name"].lower().replace("_", "-")
    if name not in ("conflictnlp", "pip"):
        packages[name] = distribution.version.split("+")[0]
for name, version in sorted(packages.items()):
    print(f"{name}=={version}")
