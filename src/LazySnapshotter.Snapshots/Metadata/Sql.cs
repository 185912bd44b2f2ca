using Microsoft.Data.Sqlite;

namespace LazySnapshotter.Snapshots.Metadata;

// The three things one does with SQL here, without the ceremony of commands and readers. Parameters are named in the
// text ($name) and given as pairs; null is NULL.
public static class Sql
{
    public static int Execute(this SqliteConnection connection, string text, params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var command = Command(connection, text, parameters);
        return command.ExecuteNonQuery();
    }

    public static List<T> Query<T>(
        this SqliteConnection connection, string text, Func<SqliteDataReader, T> row,
        params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var command = Command(connection, text, parameters);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(row(reader));
        return rows;
    }

    /// <returns>The first row, or the default of T where there is none.</returns>
    public static T? QueryFirst<T>(
        this SqliteConnection connection, string text, Func<SqliteDataReader, T> row,
        params ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        using var command = Command(connection, text, parameters);
        using var reader = command.ExecuteReader();
        return reader.Read() ? row(reader) : default;
    }

    public static long? GetNullableInt64(this SqliteDataReader reader, int column) =>
        reader.IsDBNull(column) ? null : reader.GetInt64(column);

    private static SqliteCommand Command(SqliteConnection connection, string text, ReadOnlySpan<(string Name, object? Value)> parameters)
    {
        // CreateCommand joins the transaction the connection is in.
        var command = connection.CreateCommand();
        command.CommandText = text;
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value ?? DBNull.Value);
        return command;
    }
}
