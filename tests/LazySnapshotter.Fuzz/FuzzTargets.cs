using LazySnapshotter.Fuzz.Targets;

namespace LazySnapshotter.Fuzz;

/// <summary>Every parser that reads what others have written.</summary>
public static class FuzzTargets
{
    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new InflateTarget(), new GzipTarget(), new TarTarget(),
        new IndexTarget(), new IndexColumnsTarget(), new WindowTarget(),
        new ZtocTarget(), new ZinfoTarget(),
        new OciDocumentTarget(), new ArtifactTarget(), new PrefetchListTarget(), new ImageArchiveTarget(), new NameTarget(),
        new AnswerHeadTarget(), new ChallengeTarget(), new ContentCodingTarget(), new ErrorBodyTarget(), new TokenTarget(),
        new DockerConfigTarget(), new HostsFileTarget(), new ProxyTarget(), new RegistryMemoryTarget(), new ConfigurationTarget(),
        new SnapshotsRequestTarget(), new FilterTarget(), new FuseRequestTarget(), new ImplicitDirectoriesTarget(), new MountTableTarget(),
        new ExecutableTarget(),
    ];

    public static FuzzTarget Get(string name) =>
        All.FirstOrDefault(target => target.Name == name)
        ?? throw new FormatException($"there is no target \"{name}\" (there are: {string.Join(", ", All.Select(target => target.Name))})");
}
