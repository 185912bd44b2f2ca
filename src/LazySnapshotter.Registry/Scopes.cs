namespace LazySnapshotter.Registry;

// The rights we ask for. Each set is a token of its own: a token that only reads is shown wherever reading is enough.
internal static class Scopes
{
    public static string Pull(string repository) => $"repository:{repository}:pull";

    public static string Push(string repository) => $"repository:{repository}:pull,push";

    public static string Delete(string repository) => $"repository:{repository}:delete";

    /// <summary>To mount a blob: writing here, reading there.</summary>
    public static string Mount(string repository, string from) => Push(repository) + " " + Pull(from);
}
