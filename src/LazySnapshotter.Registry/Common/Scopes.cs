namespace LazySnapshotter.Registry.Common;

// The rights we ask for. Each set is a token of its own: a token that only reads is shown wherever reading is enough.
internal static class Scopes
{
    public static string Pull(string repository) => $"repository:{repository}:pull";

    public static string Push(string repository) => $"repository:{repository}:pull,push";

    public static string Delete(string repository) => $"repository:{repository}:delete";

    /// <summary>The repository that a scope of ours is about; of several, the first: the one that is written.</summary>
    public static string RepositoryOf(string scope)
    {
        var first = scope.Split(' ', 2)[0];
        var (name, actions) = (first.IndexOf(':', StringComparison.Ordinal) + 1, first.LastIndexOf(':'));
        return name > 0 && actions > name ? first[name..actions] : "";
    }

    /// <summary>To mount a blob: writing here, reading there.</summary>
    public static string Mount(string repository, string from) => Push(repository) + " " + Pull(from);
}
