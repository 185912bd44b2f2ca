using System.Text.RegularExpressions;
using LazySnapshotter.Snapshots.Model;

namespace LazySnapshotter.Snapshots.Filters;

// containerd's filter language (its pkg/filters): selectors joined by commas, all of which must hold; of several
// filters one is enough.
//
//     name==foo               kind!=view
//     labels.app              the label is there
//     labels."a.b/c"~=|^x|    quoted field, regular expression
//
// One difference: a regular expression that cannot be compiled is an error here, where containerd matches nothing.
public sealed class SnapshotFilter
{
    private readonly IReadOnlyList<Selector> _selectors;

    private SnapshotFilter(IReadOnlyList<Selector> selectors) => _selectors = selectors;

    /// <exception cref="SnapshotArgumentException">Not a filter; the message shows where it stops being one.</exception>
    public static SnapshotFilter Parse(string text) => new(text.Length == 0 ? [] : new FilterParser(text).Parse());

    public static Func<SnapshotInfo, bool> ParseAny(IReadOnlyList<string> texts)
    {
        var filters = texts.Select(Parse).ToList();
        return filters.Count == 0 ? _ => true : info => filters.Exists(filter => filter.Matches(info));
    }

    public bool Matches(SnapshotInfo info)
    {
        foreach (var selector in _selectors)
        {
            if (!selector.Matches(Field(info, selector.FieldPath)))
                return false;
        }

        return true;
    }

    // Null is a field that is not there.
    private static string? Field(SnapshotInfo info, IReadOnlyList<string> path) => path[0] switch
    {
        "name" => info.Name,
        "parent" => info.Parent,
        "kind" => info.Kind switch
        {
            SnapshotKind.View => "view",
            SnapshotKind.Active => "active",
            SnapshotKind.Committed => "committed",
            _ => null,
        },
        "labels" => info.Labels.GetValueOrDefault(string.Join('.', path.Skip(1))),
        _ => null,
    };

    internal sealed record Selector(IReadOnlyList<string> FieldPath, SelectorOperator Operator, string Value, Regex? Pattern)
    {
        // A field that is not there is unequal to everything but the empty text, and a pattern sees it as empty.
        public bool Matches(string? field) => Operator switch
        {
            SelectorOperator.Present => field is not null,
            SelectorOperator.Equal => field is not null && field == Value,
            SelectorOperator.NotEqual => (field ?? "") != Value,
            _ => Pattern!.IsMatch(field ?? ""),
        };
    }

    internal enum SelectorOperator
    {
        Present,
        Equal,
        NotEqual,
        Matches,
    }
}
