"""Adds up test results: sum_up.py FOLDER PROJECT... reads FOLDER/PROJECT.trx of each. Exit status 1 unless all passed.

PROJECT.in-part says that PROJECT.trx is a second run of what had failed in PROJECT.first-run.xml: all else counts as it was there."""
import pathlib
import sys
import xml.etree.ElementTree

NAMESPACE = "{http://microsoft.com/schemas/VisualStudio/TeamTest/2010}"
folder, projects = pathlib.Path(sys.argv[1]), sys.argv[2:]
passed_sum = failed_sum = 0


def counts(file):
    counters = xml.etree.ElementTree.parse(file).getroot().find(f".//{NAMESPACE}Counters")
    total = int(counters.get("total"))
    return total, int(counters.get("passed")), total - int(counters.get("executed"))


for project in projects:
    passed = failed = 0
    note = ""
    try:
        total, passed, skipped = counts(folder / (project + ".trx"))
        # Failed, aborted, timed out: whatever was to run and did not pass.
        failed = total - passed - skipped
        if passed > 0 and (folder / (project + ".in-part")).exists():
            total, _, skipped = counts(folder / (project + ".first-run.xml"))
            passed = total - skipped - failed
        if skipped:
            note = f", {skipped} skipped"
    except (OSError, xml.etree.ElementTree.ParseError, AttributeError):
        failed, note = 1, " (no result: the project did not run to its end)"
    # A crash of the test host can leave a result file in which nothing failed.
    if failed == 0 and (passed == 0 or (folder / (project + ".failed")).exists()):
        failed, note = 1, note + " (the test run itself failed)"
    print(f"{project:44} {passed:5} passed {failed:5} failed{note}")
    passed_sum += passed
    failed_sum += failed
if not projects:
    print("no test project was found")
    failed_sum = 1
print(f"{passed_sum} passed, {failed_sum} failed")
sys.exit(failed_sum != 0)
