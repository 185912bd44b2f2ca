using System.Globalization;

namespace LazySnapshotter.Fuzz;

/// <summary>What the command line asks for; Program.cs says what there is.</summary>
public sealed record FuzzOptions
{
    public IReadOnlyList<FuzzTarget> Targets { get; private init; } = FuzzTargets.All;

    public long Iterations { get; private init; } = 1_000_000;

    public ulong Seed { get; private init; } = 1;

    public long First { get; private init; }

    /// <summary>An input to be run as it is.</summary>
    public string? ReplayFile { get; private init; }

    public bool IsGuided { get; private init; }

    public double Minutes { get; private init; } = 5;

    /// <summary>What a guided run found goes into the repository.</summary>
    public bool Keeps { get; private init; }

    /// <exception cref="FormatException">It makes no sense; the message says why.</exception>
    public static FuzzOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new FuzzOptions();
        var names = new List<string>();
        var mutationalOnly = new List<string>();
        var guidedOnly = new List<string>();
        for (var i = 0; i < arguments.Count; i++)
        {
            var name = arguments[i];
            string Value() => ++i < arguments.Count ? arguments[i] : throw new FormatException($"{name}: its value is missing");
            if (name is "--iterations" or "--seed" or "--first" or "--replay")
                mutationalOnly.Add(name);
            if (name is "--minutes" or "--keep")
                guidedOnly.Add(name);
            switch (name)
            {
                case "--iterations":
                    options = options with { Iterations = Number(name, Value()) };
                    break;
                case "--seed":
                    options = options with { Seed = (ulong)Number(name, Value()) };
                    break;
                case "--first":
                    options = options with { First = Number(name, Value()) };
                    break;
                case "--replay":
                    options = options with { ReplayFile = Value() };
                    break;
                case "--guided":
                    options = options with { IsGuided = true };
                    break;
                case "--minutes":
                    options = options with { Minutes = ParseMinutes(name, Value()) };
                    break;
                case "--keep":
                    options = options with { Keeps = true };
                    break;
                case var _ when name.StartsWith('-'):
                    throw new FormatException($"there is no option {name}");
                default:
                    names.Add(name);
                    break;
            }
        }

        if (options.IsGuided && mutationalOnly.Count > 0)
            throw new FormatException($"{mutationalOnly[0]} does not go with --guided");
        if (!options.IsGuided && guidedOnly.Count > 0)
            throw new FormatException($"{guidedOnly[0]} goes with --guided only");
        return names is [] or ["all"] ? options : options with { Targets = [.. names.Select(FuzzTargets.Get)] };
    }

    private static long Number(string name, string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new FormatException($"{name}: \"{text}\" is not a number");

    private static double ParseMinutes(string name, string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var minutes)
            && minutes is >= 0.1 and <= 10_000
            ? minutes
            : throw new FormatException($"{name}: \"{text}\" is not a number of minutes, from 0.1 to 10000");
}
