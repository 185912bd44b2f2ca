namespace LazySnapshotter.Registry;

// The only right we ever ask for.
internal static class Scopes
{
    public static string Pull(string repository) => $"repository:{repository}:pull";
}
