using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.Registry.Tests;

// Keeps everything logged, at every level, exceptions included.
internal sealed class CapturedLog : ILogger
{
    private readonly ConcurrentQueue<string> _lines = new();
    private long _chars;

    public string Text => string.Join('\n', _lines);

    public IReadOnlyCollection<string> Lines => _lines;

    public long Chars => Interlocked.Read(ref _chars);

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var line = $"{logLevel}: {formatter(state, exception)} {exception}";
        _lines.Enqueue(line);
        Interlocked.Add(ref _chars, line.Length);
    }
}
