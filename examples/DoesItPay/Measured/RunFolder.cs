using System.Text.Encodings.Web;
using System.Text.Json;
using DoesItPay.Training;

namespace DoesItPay.Measured;

/// <summary>The results, a file for each run, so that several processes can fill one folder; and results.json with all of them.</summary>
internal sealed class RunFolder(string folder)
{
    private static readonly JsonSerializerOptions Options = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        // ± and ‖ stay readable; these files are not embedded in HTML.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly DirectoryInfo _runs = Directory.CreateDirectory(Path.Combine(folder, "runs"));
    private readonly DirectoryInfo _searches = Directory.CreateDirectory(Path.Combine(folder, "searches"));

    public string ResultsFile => Path.Combine(folder, "results.json");

    public string TableFile => Path.Combine(folder, "table.md");

    public string ChartFile => Path.Combine(folder, "chart.svg");

    /// <summary>A run with these settings; null if it is not there.</summary>
    public Run? Find(RunKey key, string settings) => Read<Run>(Path.Combine(_runs.FullName, key.FileName)) is { } run && run.Settings == settings ? run : null;

    public void Write(Run run)
    {
        Write(Path.Combine(_runs.FullName, run.Key.FileName), JsonSerializer.Serialize(run, Options));
        WriteResults();
    }

    /// <summary>A search with these settings; null if it is not there.</summary>
    public AloneSetting? FindSearch(string name, string settings) => Read<Search>(SearchFile(name)) is { } search && search.Settings == settings ? search.Chosen : null;

    public void WriteSearch(string name, string settings, AloneSetting chosen) => Write(SearchFile(name), JsonSerializer.Serialize(new Search(settings, chosen), Options));

    /// <summary>All runs into one file.</summary>
    public void WriteResults() => Write(
        ResultsFile,
        JsonSerializer.Serialize(_runs.GetFiles("*.json").Select(file => Read<Run>(file.FullName)!).OrderBy(run => run.Key.FileName, StringComparer.Ordinal), Options));

    /// <summary>The runs of results.json, from which the table and the chart are made.</summary>
    public IReadOnlyList<Run> ReadResults() => Read<List<Run>>(ResultsFile) ?? [];

    /// <summary>Writes a file that is complete whenever another process reads it.</summary>
    public static void Write(string path, string text)
    {
        var incomplete = $"{path}.{Environment.ProcessId}.tmp";
        File.WriteAllText(incomplete, text);
        File.Move(incomplete, path, overwrite: true);
    }

    private string SearchFile(string name) => Path.Combine(_searches.FullName, $"{name}.json");

    private static T? Read<T>(string path)
        where T : class => File.Exists(path) ? JsonSerializer.Deserialize<T>(File.ReadAllText(path), Options) : null;

    private sealed record Search(string Settings, AloneSetting Chosen);
}
