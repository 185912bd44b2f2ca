using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;

namespace LazySnapshotter.TestSupport.Logging;

// Everything that is logged, by whomever: "Warning: what was said", and behind that the exception, if there is one.
public sealed class CapturedLogs : ILoggerFactory, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Line)> _lines = new();
    private long _length;

    public string Text => string.Join('\n', Lines);

    /// <summary>Of all lines together.</summary>
    public long Length => Interlocked.Read(ref _length);

    public string[] Lines => [.. _lines.Select(line => line.Line)];

    /// <summary>Those at Warning and above.</summary>
    public string[] Warnings => [.. _lines.Where(line => line.Level >= LogLevel.Warning).Select(line => line.Line)];

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        var line = $"{logLevel}: {formatter(state, exception)}{(exception is null ? "" : $" {exception}")}";
        _lines.Enqueue((logLevel, line));
        Interlocked.Add(ref _length, line.Length);
    }

    public void Dispose()
    {
    }
}
