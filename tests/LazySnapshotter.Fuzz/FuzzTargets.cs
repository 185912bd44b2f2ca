using LazySnapshotter.Fuzz.Targets;

namespace LazySnapshotter.Fuzz;

/// <summary>Every parser that reads what others have written.</summary>
public static class FuzzTargets
{
    public static IReadOnlyList<FuzzTarget> All { get; } = [new TarTarget()];

    public static FuzzTarget Get(string name) =>
        All.FirstOrDefault(target => target.Name == name)
        ?? throw new ArgumentException($"there is no target \"{name}\" (there are: {string.Join(", ", All.Select(target => target.Name))})");
}
