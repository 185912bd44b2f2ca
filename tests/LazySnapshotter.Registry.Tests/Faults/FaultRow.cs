using System.Collections;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Faults;

/// <summary>Something that goes wrong, with a name for the table: with a request or with a connection.</summary>
internal sealed record Mishap(string Name, Fault? OfRequest = null, ConnectionTrouble? OfConnection = null);

/// <summary>How many requests, or connections, are befallen.</summary>
internal readonly record struct Often(int Times)
{
    public override string ToString() => Times switch
    {
        1 => "once",
        int.MaxValue => "always",
        _ => $"{Times} times",
    };
}

/// <summary>What the caller gets: what it asked for, or an error of this kind whose message holds these words.</summary>
/// <param name="At">Which of its requests failed, where it is another than the one befallen.</param>
internal sealed record Outcome(RegistryFailure? Failure, string Cause = "", TestRequestKind? At = null)
{
    public static readonly Outcome Served = new(Failure: null);
}

/// <param name="Requests">All that the server saw of the operation, in order; "Blob*6" is six in a row.</param>
/// <param name="Then">The same for the operation that follows when nothing goes wrong any more.</param>
internal sealed record FaultRow(Moment Moment, Mishap Mishap, Often Often, Outcome Outcome, string Requests, string Then)
{
    public string Name => $"{Moment.Name}: {Mishap.Name}, {Often}";
}

// So that a table is written as one.
internal sealed class FaultTable : IEnumerable<FaultRow>
{
    private readonly List<FaultRow> _rows = [];

    public void Add(Moment moment, Mishap mishap, Often often, Outcome outcome, string requests, string then) =>
        _rows.Add(new FaultRow(moment, mishap, often, outcome, requests, then));

    public IEnumerator<FaultRow> GetEnumerator() => _rows.GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();
}
