using System.Text;
using LazySnapshotter.Registry.Common;
using LazySnapshotter.TestSupport.Registry;

namespace LazySnapshotter.Registry.Tests.Faults;

// Runs the matrix: each row against a registry and a client of its own. First the operation with the fault, then the same
// without: what was learned before the fault is still known, and the failure is not.
public sealed class FaultMatrixTests
{
    // Longer than any host is left alone because of what it said in Retry-After.
    private static readonly TimeSpan AfterEveryBackoff = TimeSpan.FromMinutes(6);

    private static readonly Dictionary<string, FaultRow> Rows = FaultMatrix.Rows.ToDictionary(r => r.Name);

    public static TheoryData<string> Names => [.. Rows.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task Row(string name)
    {
        var row = Rows[name];
        await using var bench = await Bench.StartAsync(row.Moment.Server, row.Moment.Client, remembers: true);
        await row.Moment.PrepareAsync(bench);
        bench.TakeRequests();
        if (row.Mishap.OfRequest is { } fault)
            bench.Server.Faults.Add(fault with { Kind = row.Moment.Kind, Times = row.Often.Times });
        if (row.Mishap.OfConnection is { } trouble)
            bench.Server.Faults.Add(new ConnectionFault(row.Moment.Host, trouble) { Times = row.Often.Times });

        var error = await TryAsync(row, bench);
        var first = (Outcome: Describe(error, row.Outcome), Requests: InShort(bench.TakeRequests()));

        bench.Server.Faults.Clear();
        if (row.Mishap.OfRequest?.Headers.ContainsKey("Retry-After") == true)
            bench.Clock.Advance(AfterEveryBackoff);
        var later = await TryAsync(row, bench);
        var then = InShort(bench.TakeRequests());

        var expected = $"{Describe(row.Outcome)} | {row.Requests} | served | {row.Then}";
        var actual = $"{first.Outcome} | {first.Requests} | {Describe(later, Outcome.Served)} | {then}";
        Assert.True(expected == actual, $"{name}\nexpected: {expected}\nactual:   {actual}");
        if (error is not null)
            AssertNamesHostAndSubject(row, bench, error);
        Bench.AssertNoSecretIn(error?.ToString() ?? "", bench.Server.Tokens.Secrets);
    }

    private static async Task<RegistryException?> TryAsync(FaultRow row, Bench bench)
    {
        try
        {
            await row.Moment.ActAsync(bench);
            return null;
        }
        catch (RegistryException e)
        {
            return e;
        }
    }

    private static void AssertNamesHostAndSubject(FaultRow row, Bench bench, RegistryException error)
    {
        var at = row.Outcome.At ?? row.Moment.Kind;
        var host = at switch
        {
            TestRequestKind.Token => bench.Server.TokenHost,
            TestRequestKind.Cdn => bench.Server.CdnHost,
            _ => bench.Server.Host,
        };
        var subject = at switch
        {
            TestRequestKind.Ping => "ping",
            TestRequestKind.Token => $"token for repository:{Bench.Repository}:pull",
            TestRequestKind.Manifest => $"manifest {Bench.Repository}:latest",
            _ => $"blob {bench.Blob.Digest} bytes {Moment.Start}-{Moment.Start + Moment.Length - 1}",
        };
        Assert.True(error.Message.StartsWith(
            $"{host}: {subject}: ", StringComparison.Ordinal), $"{row.Name}: expected {host}: {subject}, was {error.Message}");
        Assert.Equal(host, error.Host);
    }

    private static string Describe(Outcome outcome) => outcome.Failure is null ? "served" : $"{outcome.Failure}: {outcome.Cause}";

    // As expected if it is as expected; else all of it, for whoever reads the failed row.
    private static string Describe(RegistryException? error, Outcome expected) =>
        error is null ? "served"
        : error.Failure == expected.Failure && error.Message.Contains(expected.Cause, StringComparison.Ordinal) ? Describe(expected)
        : $"{error.Failure}: {error.Message}";

    // "Blob Blob Blob" -> "Blob*3"
    private static string InShort(string requests)
    {
        var text = new StringBuilder();
        var kinds = requests.Split(' ');
        for (var i = 0; i < kinds.Length;)
        {
            var run = kinds.Skip(i).TakeWhile(k => k == kinds[i]).Count();
            text.Append(i == 0 ? "" : " ").Append(kinds[i]).Append(run == 1 ? "" : $"*{run}");
            i += run;
        }

        return text.ToString();
    }
}
