using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Snapshots.Tests;

public class LabelUpdateTests
{
    private static readonly Dictionary<string, string> Existing = new() { ["a"] = "1", ["b.c/d"] = "2" };
    private static readonly Dictionary<string, string> Given = new() { ["a"] = "9", ["x"] = "8" };

    [Theory]
    [InlineData("", "a=9 x=8")]
    [InlineData("labels", "a=9 x=8")]
    [InlineData("labels.a", "a=9 b.c/d=2")]
    [InlineData("labels.b.c/d", "a=1")]
    [InlineData("labels.x labels.b.c/d", "a=1 x=8")]
    [InlineData("labels.nobody", "a=1 b.c/d=2")]
    [InlineData("labels labels.a", "a=9 x=8")]
    public void Field_paths_choose_what_changes(string paths, string expected)
    {
        var updated = LabelUpdate.Apply("s", Existing, Given, paths.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        var shown = updated.Where(label => label.Value.Length > 0)
            .OrderBy(label => label.Key, StringComparer.Ordinal).Select(label => $"{label.Key}={label.Value}");
        Assert.Equal(expected, string.Join(' ', shown));
    }

    [Theory]
    [InlineData("parent")]
    [InlineData("kind")]
    [InlineData("label")]
    [InlineData("")]
    public void Other_fields_cannot_be_updated(string path)
    {
        var e = Assert.Throws<SnapshotArgumentException>(() => LabelUpdate.Apply("s", Existing, Given, [path]));
        Assert.Contains($"\"{path}\"", e.Message, StringComparison.Ordinal);
    }
}
