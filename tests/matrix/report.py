"""Writes the table of what passed with which containerd, from one result file VERSION.trx each: report.py FOLDER."""
import os
import pathlib
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
