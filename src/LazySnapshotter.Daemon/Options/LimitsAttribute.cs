namespace LazySnapshotter.Daemon;

/// <summary>Which numbers a key of the configuration takes. Every number has such limits.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class LimitsAttribute(double min, double max) : Attribute
{
    /// <summary>The least itself is no value, only what is above it.</summary>
    public bool AboveMin { get; init; }

    public bool Has(double value) => (AboveMin ? value > min : value >= min) && value <= max;

    public override string ToString() => AboveMin ? $"above {min:0.###} and up to {max:0.###}" : $"from {min:0.###} to {max:0.###}";
}
