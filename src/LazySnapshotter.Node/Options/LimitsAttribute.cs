using System.Globalization;

namespace LazySnapshotter.Node.Options;

/// <summary>Which numbers a key of the configuration takes, both ends among them. Every number has such limits.</summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class LimitsAttribute(double min, double max) : Attribute
{
    public bool Has(double value) => value >= min && value <= max;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"from {min} to {max}");
}
