using System.Text.RegularExpressions;

namespace LazySnapshotter.Cli.Output;

// .NET's messages as a tool of Linux would say them. They are texts inside our own messages by the time they come here, so they
// are known by their wording; it is the same in every culture, because the program is built without any other.
internal static partial class PlainWords
{
    private static readonly (Regex Said, Func<Match, string> Meant)[] _table =
    [
        (AccessDenied(), match =>
            $"{PathOf(match)}: {(IsReadableDirectory(PathOf(match)) ? "it is a directory, not a file" : "permission denied")}"),
        (NoFile(), match => $"{PathOf(match)}: no such file"),
        (NoPartOfPath(), match => WhatIsMissing(PathOf(match))),
        (AlreadyExists(), match => $"{PathOf(match)}: it exists already, as a file"),
        (InUse(), match => $"{PathOf(match)}: another process uses it"),
        (NameTooLong(), match => $"{PathOf(match)}: the name is too long"),
        (CallOnPath(), match => $"{PathOf(match)}: {match.Groups["what"].Value.ToLowerInvariant()}"),
        (OptionType(), match => $"{match.Groups["option"].Value}: \"{match.Groups["value"].Value}\" is not what it takes"),
        (EndOfStream(), _ => "it is cut short"),
        (ForProgrammers(), _ => ""),
        // A message may quote what a registry sent, and it is to stay one line, without power over the terminal.
        (LineBreaks(), _ => " "),
        (Controls(), _ => "?"),
    ];

    public static string Of(string message)
    {
        foreach (var (said, meant) in _table)
            message = said.Replace(message, match => meant(match));
        return message.Trim();
    }

    private static string PathOf(Match match) => match.Groups["path"].Value;

    // Opening a directory as a file is "access denied" to .NET, like one whose permissions are missing.
    private static bool IsReadableDirectory(string path)
    {
        try
        {
            if (!Directory.Exists(path))
                return false;
            _ = Directory.EnumerateFileSystemEntries(path).Any();
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // The highest part of the path that is not there, or is a file where a directory should be.
    private static string WhatIsMissing(string path)
    {
        var missing = Path.GetFullPath(path);
        while (Path.GetDirectoryName(missing) is { } parent)
        {
            if (File.Exists(parent))
                return $"{parent}: it is a file, not a directory";
            if (Directory.Exists(parent))
                break;
            missing = parent;
        }

        return missing == Path.GetFullPath(path) ? $"{path}: no such file or directory" : $"{path}: there is no directory {missing}";
    }

    [GeneratedRegex(@"Access to the path '(?<path>[^']*)' is denied\.?")]
    private static partial Regex AccessDenied();

    [GeneratedRegex(@"Could not find file '(?<path>[^']*)'\.?")]
    private static partial Regex NoFile();

    [GeneratedRegex(@"Could not find a part of the path '(?<path>[^']*)'\.?")]
    private static partial Regex NoPartOfPath();

    [GeneratedRegex(@"(?:The file|Cannot create) '(?<path>[^']*)'(?: because a file or directory with the same name)? already exists\.?")]
    private static partial Regex AlreadyExists();

    [GeneratedRegex(@"The process cannot access the file '(?<path>[^']*)' because it is being used by another process\.?")]
    private static partial Regex InUse();

    [GeneratedRegex(@"The path '(?<path>[^']*)' is too long, or a component of the specified path is too long\.?")]
    private static partial Regex NameTooLong();

    [GeneratedRegex(@"(?<what>\b[A-Z][a-zA-Z /-]+) : '(?<path>[^']*)'\.?")]
    private static partial Regex CallOnPath();

    [GeneratedRegex(@"Cannot parse argument '(?<value>[^']*)' for option '(?<option>[^']*)' as expected type '[^']*'\.?")]
    private static partial Regex OptionType();

    [GeneratedRegex(@"(?:Unable to read beyond the end of the stream|Attempted to read past the end of the stream)\.?")]
    private static partial Regex EndOfStream();

    [GeneratedRegex(@" ?\(Parameter '[^']*'\)")]
    private static partial Regex ForProgrammers();

    [GeneratedRegex(@" *[\t-\r][\t-\r ]*")]
    private static partial Regex LineBreaks();

    [GeneratedRegex(@"[\x00-\x1F\x7F-\x9F]")]
    private static partial Regex Controls();
}
