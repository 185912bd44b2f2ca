using LazySnapshotter.Registry.Common;

namespace LazySnapshotter.Registry.Inspection;

public enum InspectionVerdict
{
    Ok,

    /// <summary>Works, at a cost.</summary>
    Costs,

    /// <summary>Not there, and lazy reading suffers for it.</summary>
    Missing,

    /// <summary>Could not be had at all.</summary>
    Failed,
}

/// <summary>What a registry can and cannot do for an image, found out by doing it.</summary>
/// <param name="Reference">What was asked for.</param>
/// <param name="Endpoint">The host that is asked first.</param>
/// <param name="Steps">In the order they were taken. After a failure those that need what failed are not there.</param>
/// <param name="ColdRead">The first bytes of a layer, for a client that knows nothing of the registry; null where there were none.</param>
/// <param name="WarmRead">More bytes of the same layer, afterwards.</param>
public sealed record InspectionReport(
    string Reference, string Endpoint, IReadOnlyList<InspectionStep> Steps, ReadCost? ColdRead, ReadCost? WarmRead)
{
    public bool Failed => Steps.Any(step => step.Verdict == InspectionVerdict.Failed);
}

/// <param name="Name">What was tried.</param>
/// <param name="Found">What came of it.</param>
/// <param name="Consequence">What that costs; empty where all is well.</param>
/// <param name="Milliseconds">From the first request to the last byte.</param>
public sealed record InspectionStep(
    string Name, InspectionVerdict Verdict, string Found, string Consequence, double Milliseconds,
    IReadOnlyList<InspectionRequest> Requests);

/// <summary>One request of a step; its URL without query.</summary>
/// <param name="StatusCode">Null where no answer came.</param>
public sealed record InspectionRequest(string Method, string Url, int? StatusCode, double Milliseconds)
{
    internal static InspectionRequest Of(RegistryHop hop) =>
        new(hop.Method, hop.Url, (int?)hop.StatusCode, Math.Round(hop.TimeToFirstByte.TotalMilliseconds, 1));
}

/// <param name="RoundTrips">Requests, and what it takes to connect: one round trip for TCP, one more for TLS 1.3.</param>
public sealed record ReadCost(int Requests, long Connections, long RoundTrips, double Milliseconds);
