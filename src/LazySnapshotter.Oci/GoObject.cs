using System.Text.Json;

namespace LazySnapshotter.Oci;

// A JSON object as Go's encoding/json reads one into a struct, so that a document means here what it means to containerd:
// a member is found whatever the case of its name, of several the last one counts (objects and maps are put together), null is as
// good as absent, and numbers are neither texts nor fractions. What is wrong is told in the document's own terms.
internal sealed class GoObject
{
    // Go's own limit is 10,000.
    private const int DepthMax = 1000;
    private const int ShownCharsMax = 160;

    private readonly IReadOnlyList<JsonElement> _parts;
    private readonly string _where;

    private GoObject(IReadOnlyList<JsonElement> parts, string where)
    {
        _parts = parts;
        _where = where;
    }

    /// <param name="what">Names the document in messages.</param>
    /// <exception cref="InvalidDataException">It is no JSON object, or <paramref name="read"/> found something wrong in it.</exception>
    public static T Read<T>(ReadOnlySpan<byte> json, string what, Func<GoObject, T> read)
    {
        try
        {
            var root = JsonElement.Parse(json, new JsonDocumentOptions { MaxDepth = DepthMax });
            return root.ValueKind == JsonValueKind.Object
                ? read(new GoObject([root], what))
                : throw new InvalidDataException($"{what}: the document is {KindOf(root)}, not an object");
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // The latter: text that is not UTF-8.
        {
            throw new InvalidDataException($"{what}: {e.Message}", e);
        }
    }

    public InvalidDataException Error(string why) => new($"{_where}: {why}");

    public bool Has(string name) => Members(name).Any();

    public string? Text(string name) => Members(name).Select(member => Text(member, name)).LastOrDefault();

    public long? Number(string name) =>
        Members(name).Select(member => member.ValueKind == JsonValueKind.Number && member.TryGetInt64(out var number)
        ? number
        : throw Error($"{name} is {Shown(member)}, a whole number is expected")).Cast<long?>().LastOrDefault();

    public GoObject? Object(string name)
    {
        var parts = Members(name).Select(member => Checked(member, JsonValueKind.Object, name)).ToList();
        return parts.Count == 0 ? null : new GoObject(parts, $"{_where}: {name}");
    }

    /// <param name="each">What one of them is called in messages, before its number.</param>
    public IReadOnlyList<GoObject>? Objects(string name, string each) => List(name) is not { } list ? null
        : [.. list.Select((element, i) => new GoObject(
            element.ValueKind == JsonValueKind.Null
                ? []
                : [Checked(element, JsonValueKind.Object, $"{each} {i}")], $"{_where}: {each} {i}"))];

    public IReadOnlyList<string>? Texts(string name) =>
        List(name) is { } list ? [.. list.Select(element => element.ValueKind == JsonValueKind.Null ? "" : Text(element, name))] : null;

    public IReadOnlyDictionary<string, string>? Map(string name)
    {
        Dictionary<string, string>? map = null;
        foreach (var member in Members(name))
        {
            map ??= new Dictionary<string, string>(StringComparer.Ordinal);
            foreach (var entry in Checked(member, JsonValueKind.Object, name).EnumerateObject())
                map[entry.Name] = entry.Value.ValueKind == JsonValueKind.Null ? "" : Text(entry.Value, $"{name}: {Shorten(entry.Name)}");
        }

        return map;
    }

    public static string Shorten(string text) => text.Length > ShownCharsMax ? text[..ShownCharsMax] + "..." : text;

    private List<JsonElement>? List(string name) => Members(name).Select(member => Checked(member, JsonValueKind.Array, name))
        .Select(member => member.EnumerateArray().ToList()).LastOrDefault();

    private IEnumerable<JsonElement> Members(string name) => _parts
        .SelectMany(part => part.EnumerateObject().Where(member => member.Name.Equals(name, StringComparison.OrdinalIgnoreCase)))
        .Select(member => member.Value).Where(value => value.ValueKind != JsonValueKind.Null);

    private string Text(JsonElement element, string name) => Checked(element, JsonValueKind.String, name).GetString()!;

    private JsonElement Checked(JsonElement element, JsonValueKind kind, string name)
    {
        var expected = kind switch { JsonValueKind.String => "text", JsonValueKind.Array => "a list", _ => "an object" };
        return element.ValueKind == kind ? element : throw Error($"{name} is {Shown(element)}, {expected} is expected");
    }

    private static string Shown(JsonElement element) =>
        element.ValueKind is JsonValueKind.Number or JsonValueKind.String ? Shorten(element.GetRawText()) : KindOf(element);

    private static string KindOf(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        JsonValueKind.String => "text",
        JsonValueKind.Number => "a number",
        JsonValueKind.Null => "null",
        _ => "true or false",
    };
}
