"""What has to run again: failed_tests.py FILE.trx prints a filter for `dotnet test` that selects the tests which failed. It prints
nothing where that cannot be told: no file, a run that was aborted, nothing that failed, or so much that it is no accident."""
import sys
import xml.etree.ElementTree

NAMESPACE = {"t": "http://microsoft.com/schemas/VisualStudio/TeamTest/2010"}
ACCIDENTS_MAX = 10
try:
    root = xml.etree.ElementTree.parse(sys.argv[1]).getroot()
except (OSError, xml.etree.ElementTree.ParseError):
    sys.exit()
if any("abort" in "".join(info.itertext()).lower() for info in root.iterfind(".//t:RunInfo", NAMESPACE)):
    sys.exit()
methods = {test.get("id"): test.find("t:TestMethod", NAMESPACE) for test in root.iterfind(".//t:UnitTest", NAMESPACE)}
failed = {
    f"{methods[result.get('testId')].get('className')}.{methods[result.get('testId')].get('name').split('(')[0]}"
    for result in root.iterfind(".//t:UnitTestResult", NAMESPACE) if result.get("outcome") not in ("Passed", "NotExecuted")}
if len(failed) <= ACCIDENTS_MAX:
    print("|".join(f"FullyQualifiedName={name}" for name in sorted(failed)))
