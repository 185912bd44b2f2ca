using LazySnapshotter.Snapshots.Filters;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Snapshots.Tests;

// The filter language, case by case, with containerd's answers (its pkg/filters).
public class SnapshotFilterTests
{
    private static readonly SnapshotInfo Info = new(
        "k8s.io/12/sha256:abc", "base \"one\"", SnapshotKind.Committed, default, default,
        new Dictionary<string, string> { ["app"] = "web-1", ["a.b/c"] = "x,y", ["dotted.key"] = "é", ["n"] = "=1" });

    [Theory]
    [InlineData("", true)]
    [InlineData("name==k8s.io/12/sha256:abc", true)]
    [InlineData("name==\"k8s.io/12/sha256:abc\"", true)]
    [InlineData("name==k8s.io", false)]
    [InlineData("name!=k8s.io", true)]
    [InlineData("name != k8s.io", true)]
    [InlineData(" name==k8s.io/12/sha256:abc", true)]
    [InlineData("kind==committed", true)]
    [InlineData("kind==Committed", false)]
    [InlineData("kind==active", false)]
    [InlineData("kind!=view,kind!=active", true)]
    [InlineData("parent==\"base \\\"one\\\"\"", true)]
    [InlineData("parent==\"base \\x22one\\x22\"", true)]
    [InlineData("parent==\"base \\042one\\042\"", true)]
    [InlineData("parent==\"base \\u0022one\\U00000022\"", true)]
    [InlineData("parent!=\"\"", true)]
    [InlineData("parent==\"\"", false)]
    [InlineData("labels.app", true)]
    [InlineData("labels.\"app\"", true)]
    [InlineData("labels.nobody", false)]
    [InlineData("labels", false)]
    [InlineData("labels.app==web-1", true)]
    [InlineData("labels.app==web-1,labels.nobody", false)]
    [InlineData("labels.\"a.b/c\"==\"x,y\"", true)]
    [InlineData("labels.dotted.key==é", true)]
    [InlineData("labels.dotted.key==\"\\xc3\\xa9\"", true)]
    [InlineData("labels.\"dotted.key\"!=e", true)]
    [InlineData("labels.n==\"=1\"", true)]
    [InlineData("labels.nobody!=x", true)]
    [InlineData("labels.nobody!=\"\"", false)]
    [InlineData("labels.nobody==\"\"", false)]
    [InlineData("labels.app~=^web-[0-9]+$", true)]
    [InlineData("labels.app~=/^web-[0-9]+$/", true)]
    [InlineData("labels.app~=|b-|", true)]
    [InlineData("labels.app~=\"^eb\"", false)]
    [InlineData("labels.\"a.b/c\"~=/x,y/", true)]
    [InlineData("name~=/k8s\\/12|k8s.io\\/12/", true)]
    [InlineData("labels.nobody~=/.*/", true)]
    [InlineData("unknown", false)]
    [InlineData("unknown!=x", true)]
    [InlineData("1name", false)]
    [InlineData("labels.\"containerd.io/snapshot.ref\"==sha256:abc,parent==\"\"", false)]
    public void Filter_matches_as_containerd_does(string filter, bool expected) =>
        Assert.Equal(expected, SnapshotFilter.Parse(filter).Matches(Info));

    [Theory]
    [InlineData("name=x")]
    [InlineData("name===x")]
    [InlineData("name~x")]
    [InlineData("name!x")]
    [InlineData("==x")]
    [InlineData("name==")]
    [InlineData("name==,kind==view")]
    [InlineData("name==x,")]
    [InlineData(",name")]
    [InlineData("name ")]
    [InlineData("name==x y")]
    [InlineData("name x")]
    [InlineData("labels.")]
    [InlineData("labels..a")]
    [InlineData("labels.-")]
    [InlineData("na-me==x")]
    [InlineData("name==\"x")]
    [InlineData("name==\"x\\q\"")]
    [InlineData("name==\"x\\x4\"")]
    [InlineData("name==\"\\400\"")]
    [InlineData("name==\"\\UFFFFFFFF\"")]
    [InlineData("name==\"a\nb\"")]
    [InlineData("name==/x/")]
    [InlineData("name==|x|")]
    [InlineData("/name/==x")]
    [InlineData("name~=(")]
    [InlineData("name~=/(?=x)/")]
    [InlineData("name==.x")]
    [InlineData("name~=.*")]
    [InlineData("name==\u0007")]
    public void Broken_filter_is_refused_and_shown(string filter)
    {
        var e = Assert.Throws<SnapshotArgumentException>(() => SnapshotFilter.Parse(filter));
        Assert.StartsWith("filters: parse error: [", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Error_shows_the_place() =>
        Assert.Contains("[name >|=|< x]", Assert.Throws<SnapshotArgumentException>(
            () => SnapshotFilter.Parse("name=x")).Message, StringComparison.Ordinal);

    [Fact]
    public void One_of_several_filters_is_enough_and_none_matches_all()
    {
        Assert.True(SnapshotFilter.ParseAny(["name==x", "kind==committed"])(Info));
        Assert.False(SnapshotFilter.ParseAny(["name==x", "kind==view"])(Info));
        Assert.True(SnapshotFilter.ParseAny([])(Info));
    }

    [Fact]
    public void Random_filters_are_parsed_or_refused_and_nothing_else()
    {
        var seed = Environment.TickCount;
        var random = new Random(seed);
        const string Alphabet = "name.labels\"/|\\x41u,==!=~= \n\0é😀\ud800(*";
        for (var i = 0; i < 20_000; i++)
        {
            var text = string.Concat(Enumerable.Range(0, random.Next(30)).Select(_ => Alphabet[random.Next(Alphabet.Length)]));
            try
            {
                SnapshotFilter.Parse(text).Matches(Info);
            }
            catch (SnapshotArgumentException)
            {
                // As it should be.
            }
            catch (Exception e)
            {
                Assert.Fail($"seed {seed}, \"{text}\": {e}");
            }
        }
    }
}
