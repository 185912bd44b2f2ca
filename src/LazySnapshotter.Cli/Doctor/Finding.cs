namespace LazySnapshotter.Cli.Doctor;

internal enum Verdict
{
    Ok,

    /// <summary>Works, at a cost.</summary>
    Costs,

    /// <summary>Does not work without it.</summary>
    Missing,
}

/// <param name="Subject">What was looked at.</param>
/// <param name="Found">What is there.</param>
/// <param name="Consequence">What it costs, and what to do about it; empty when all is well.</param>
internal sealed record Finding(Verdict Verdict, string Subject, string Found, string Consequence = "");
