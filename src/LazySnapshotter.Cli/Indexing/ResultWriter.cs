using System.Text.Json;
using LazySnapshotter.Cli.Inspection;

namespace LazySnapshotter.Cli.Indexing;

// The results of `index build` on standard output, each layer's as soon as it is there: a line of text, or an object of
// JSON on a line. What failed is told on standard error as well, in both cases. Where progress bars own the terminal the
// lines wait until those are gone.
internal sealed class ResultWriter(bool isJson, bool waits) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<(string Line, bool IsError)> _waiting = [];

    public void Write(LayerResult result)
    {
        if (result.State == IndexingState.Failed)
            WriteLine($"lazysnap: {result.Reason}", isError: true);
        if (isJson)
            WriteLine(JsonSerializer.Serialize(result, CliJsonContext.Default.LayerResult), isError: false);
        else if (result.State != IndexingState.Failed)
            WriteLine(result.Describe(), isError: false);
    }

    /// <summary>What is no layer's: for people on standard output, beside JSON on standard error.</summary>
    public void WriteNote(string text) => WriteLine(text, isError: isJson);

    public void Dispose()
    {
        lock (_gate)
        {
            foreach (var (line, isError) in _waiting)
                (isError ? Console.Error : Console.Out).WriteLine(line);
            _waiting.Clear();
        }
    }

    private void WriteLine(string line, bool isError)
    {
        lock (_gate)
        {
            if (waits)
                _waiting.Add((line, isError));
            else
                (isError ? Console.Error : Console.Out).WriteLine(line);
        }
    }
}
