namespace LazySnapshotter.Cli.Output;

/// <summary>A command cannot do what was asked; the message is all a person needs.</summary>
internal sealed class CommandException(string message) : Exception(message);
