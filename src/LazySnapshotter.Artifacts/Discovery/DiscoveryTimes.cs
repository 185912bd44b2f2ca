namespace LazySnapshotter.Artifacts.Discovery;

/// <param name="Answer">For how long what a registry has about an image is believed: the layers of one pull share it, a later pull asks
/// anew.</param>
/// <param name="Failure">For how long a failure is: the layers that wait together do not each try again.</param>
internal sealed record DiscoveryTimes(TimeSpan Answer, TimeSpan Failure, TimeProvider Clock)
{
    public static DiscoveryTimes Default { get; } = new(TimeSpan.FromMinutes(2), TimeSpan.FromSeconds(5), TimeProvider.System);
}
