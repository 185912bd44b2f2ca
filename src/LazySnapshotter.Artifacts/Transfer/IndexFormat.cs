namespace LazySnapshotter.Artifacts.Transfer;

/// <summary>Whose artifacts: ours, or soci's.</summary>
public enum IndexFormat
{
    Native,
    Soci,
}
