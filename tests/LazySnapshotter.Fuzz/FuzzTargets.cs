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
    ];

    public static FuzzTarget Get(string name) =>
        All.FirstOrDefault(target => target.Name == name)
        ?? throw new FormatException($"there is no target \"{name}\" (there are: {string.Join(", ", All.Select(target => target.Name))})");
}
