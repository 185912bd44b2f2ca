"""Writes what passed with which containerd, and what the demo said: report.py FOLDER, from VERSION.trx and VERSION.demo."""
import os
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree

NAMESPACE = {"t": "http://microsoft.com/schemas/VisualStudio/TeamTest/2010"}
runs = {}
for file in pathlib.Path(sys.argv[1]).glob("*.trx"):
    classes = runs[file.stem] = {}
    root = xml.etree.ElementTree.parse(file).getroot()
    names = {test.get("id"): test.find("t:TestMethod", NAMESPACE).get("className") for test in root.iterfind(".//t:UnitTest", NAMESPACE)}
    for result in root.iterfind(".//t:UnitTestResult", NAMESPACE):
        passed, failed = classes.get(name := names[result.get("testId")].split(".")[-1], (0, 0))
        outcome = result.get("outcome")
        classes[name] = (passed + (outcome == "Passed"), failed + (outcome == "Failed"))

versions = sorted(runs, key=lambda version: [int(part) for part in version.split(".")])
print("# Compatibility with containerd\n")
print("Written by `make test-matrix`: the integration tests against real daemons, each with its own `ctr` and shim.")
runc = subprocess.run(["runc", "--version"], capture_output=True, text=True).stdout.split("\n")[0].removeprefix("runc version ")
print(f"runc {runc}, Linux {os.uname().release.split('-')[0]}. Passed tests; failed ones in brackets.\n")
print("| Tests | " + " | ".join(f"containerd {version}" for version in versions) + " |")
print("|---" * (len(versions) + 1) + "|")


def cell(passed, failed):
    return f"{passed}" + (f" (**{failed} failed**)" if failed else "") if passed or failed else "not run"


for name in sorted({name for classes in runs.values() for name in classes}):
    print(f"| {name} | " + " | ".join(cell(*runs[version].get(name, (0, 0))) for version in versions) + " |")
totals = [[sum(column) for column in zip(*runs[version].values())] or [0, 0] for version in versions]
print("| **All** | " + " | ".join(cell(*total) for total in totals) + " |")

print("\n## The demo (`make demo`): overlayfs, lazysnap\n")
print("| | " + " | ".join(f"containerd {version}" for version in versions) + " |")
print("|---" * (len(versions) + 1) + "|")
for row in ["pull", "time to first output", "bytes over the link", "requests over the link"]:
    cells = []
    for version in versions:
        file = pathlib.Path(sys.argv[1]) / f"{version}.demo"
        found = re.search(rf"^{row}\s+(.+?)\s{{2,}}(.+?)\s{{2,}}", file.read_text(), re.MULTILINE) if file.exists() else None
        cells.append(", ".join(found.groups()) if found else "not run")
    print(f"| {row} | " + " | ".join(cells) + " |")
