using LazySnapshotter.TestSupport.Soci;
using Xunit.Abstractions;
using Xunit.Sdk;

namespace LazySnapshotter.IntegrationTests.Soci;

// A test that runs the real soci. It is there only where LAZYSNAP_TEST_SOCI says where soci is (`make test-matrix` fetches it from a
// newer Debian); elsewhere it is not skipped, it does not exist.
[AttributeUsage(AttributeTargets.Method)]
[XunitTestCaseDiscoverer("LazySnapshotter.IntegrationTests.Soci.SociFactDiscoverer", "LazySnapshotter.IntegrationTests")]
public sealed class SociFactAttribute : FactAttribute;

public sealed class SociFactDiscoverer(IMessageSink messages) : IXunitTestCaseDiscoverer
{
    private readonly FactDiscoverer _facts = new(messages);

    public IEnumerable<IXunitTestCase> Discover(
        ITestFrameworkDiscoveryOptions discoveryOptions, ITestMethod testMethod, IAttributeInfo factAttribute) =>
        SociInstallation.Folder is null ? [] : _facts.Discover(discoveryOptions, testMethod, factAttribute);
}
