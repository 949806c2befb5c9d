using System.Text.Json;
using System.Text.Json.Serialization;
using MlNetDistill.Core;
using MlNetDistill.Data;
using MlNetDistill.Networks;
using TorchSharp;

namespace MlNetDistill.Fitting;

/// <summary>Describes the training that a checkpoint directory belongs to: all that its student depends on, and all that its student as a model needs.</summary>
internal sealed record FitDescription
{
    /// <summary>The name of its file.</summary>
    public const string FileName = "training.json";

    private const int PresentFormat = 1;

    // A million classes have names of a few million letters.
    private const long MostBytes = 100_000_000;

    // These observe or control a training; its student is the same whatever they are.
    private static readonly string[] NotCompared =
    [
        nameof(DistillationOptions.CheckpointDirectory), nameof(DistillationOptions.Checkpoints), nameof(DistillationOptions.OnCancellation), nameof(DistillationOptions.Device),
        nameof(DistillationOptions.MaxTrainingTime), nameof(DistillationOptions.OnTimeUp), nameof(DistillationOptions.MeasureTraining),
    ];

    /// <summary>How it is written.</summary>
    internal static JsonSerializerOptions Json { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        // The same bytes on every system: they are hashed.
        NewLine = "\n",
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Version of the format.</summary>
    public int Format { get; init; } = PresentFormat;

    /// <summary>The SHA-256 of all the rest.</summary>
    public string Sha256 { get; init; } = "";

    /// <summary>Names and versions of the libraries that wrote it.</summary>
    public string WrittenBy { get; init; } = $"MlNetDistill {typeof(FitDescription).Assembly.GetName().Version}, TorchSharp {typeof(torch).Assembly.GetName().Version}";

    /// <summary>A random name of the training.</summary>
    public string Run { get; init; } = $"{Guid.NewGuid():N}";

    /// <summary>The names of the trainings that it replaced, whose checkpoints of a route may still be in a folder of their own; null for none.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public IReadOnlyList<string>? Replaced { get; init; }

    /// <summary>Whether the student starts from the weights of an earlier training.</summary>
    public bool IsWarmStart { get; init; }

    /// <summary>The seed of the training.</summary>
    public required int Seed { get; init; }

    /// <summary>The name of the method.</summary>
    public required string Method { get; init; }

    /// <summary>Every setting by name, as text.</summary>
    public required IReadOnlyList<ReportedSetting> Settings { get; init; }

    /// <summary>Bytes of rows that were kept in memory at the most.</summary>
    public required long RowMemory { get; init; }

    /// <summary>Number of rows.</summary>
    public required long Rows { get; init; }

    /// <summary>A hash of the rows, and of which of them are trained on.</summary>
    public required string RowsHash { get; init; }

    /// <summary>The student.</summary>
    public required DescribedStudent Student { get; init; }

    /// <summary>The description in a directory; null if there is none.</summary>
    /// <exception cref="InvalidDataException">It cannot be read, or is of another version.</exception>
    public static FitDescription? Find(string directory)
    {
        var path = Path.Combine(directory, FileName);
        if (!File.Exists(path))
            return null;
        try
        {
            if (new FileInfo(path).Length > MostBytes)
                throw new JsonException(FormattableString.Invariant($"It has more than {MostBytes} bytes."));
            var text = File.ReadAllText(path);
            CheckFormat(text, path);
            var found = JsonSerializer.Deserialize<FitDescription>(text, Json) ?? throw new JsonException("It is 'null'.");
            if (found.Settings.Any(setting => setting is null) || found.Student.Classes?.Any(name => name is null) == true)
                throw new JsonException("A setting or a class is 'null'.");
            if (!Guid.TryParseExact(found.Run, "N", out _))
                throw new JsonException("Its 'run' is no name of a training.");
            if (found.Student.Input.Validate(found.Student.Outputs).FirstOrDefault() is { } fault)
                throw new JsonException(fault);
            return found.Sha256 == found.ComputeHash() ? found : throw new JsonException("It does not match its SHA-256.");
        }
        catch (Exception e) when (e is JsonException or ArgumentException or NotSupportedException or InvalidOperationException)
        {
            throw new InvalidDataException($"'{path}' should describe a training, and cannot be read: {e.Message} Give another CheckpointDirectory, or delete this one to train from the beginning.", e);
        }
    }

    /// <summary>What a training settles at its beginning if nothing is given: its seed, and the memory for rows, of which more or less may be free when it continues.</summary>
    /// <param name="directory">The checkpoint directory; null for none.</param>
    /// <param name="seed">The seed that was given.</param>
    /// <param name="rows">Where rows are kept.</param>
    /// <param name="draw">Draws a seed.</param>
    public static (int Seed, RowStorageOptions Rows) Settle(string? directory, int? seed, RowStorageOptions rows, Func<int> draw)
    {
        var kept = directory is null ? null : Find(directory);
        return (seed ?? kept?.Seed ?? draw(), directory is null ? rows : rows with { MemoryLimit = rows.MemoryLimit ?? kept?.RowMemory ?? Reading.RowMemory.DefaultLimit });
    }

    /// <summary>The settings that a student depends on.</summary>
    public static IReadOnlyList<ReportedSetting> Compared(IEnumerable<ReportedSetting> settings) => [.. settings.Where(setting => !NotCompared.Contains(setting.Name))];

    /// <summary>Writes it into a directory.</summary>
    public void Write(string directory) => AtomicFile.Write(Path.Combine(directory, FileName), stream => JsonSerializer.Serialize(stream, this with { Sha256 = ComputeHash() }, Json), "the description of the training");

    /// <summary>What differs from the training that is to be continued here, each as the end of a sentence.</summary>
    public IEnumerable<string> FindDifferences(FitDescription now)
    {
        if (WrittenBy != now.WrittenBy)
            yield return $"they were saved by {WrittenBy}, and this is {now.WrittenBy}";
        foreach (var name in Settings.Concat(now.Settings).Select(setting => setting.Name).Distinct())
        {
            if ((ValueOf(Settings, name), ValueOf(now.Settings, name)) is var (before, after) && before != after)
                yield return $"{name} was {before}, and is {after}";
        }

        if (RowsHash != now.RowsHash)
        {
            yield return Rows == now.Rows
                ? FormattableString.Invariant($"the {Rows} rows are others, or in another order, or others of them are held out")
                : FormattableString.Invariant($"there were {Rows} rows, and are {now.Rows}");
        }

        if (Student.Describe() != now.Student.Describe())
            yield return $"the student was {Student.Describe()}, and is {now.Student.Describe()}";
    }

    private string ComputeHash() => Fingerprint.Compute(JsonSerializer.Serialize(this with { Sha256 = "" }, Json));

    private static string ValueOf(IReadOnlyList<ReportedSetting> settings, string name) => settings.FirstOrDefault(setting => setting.Name == name)?.Value ?? "not set";

    private static void CheckFormat(string text, string path)
    {
        using var json = JsonDocument.Parse(text);
        if (json.RootElement.TryGetProperty("format", out var format) && format.TryGetInt32(out var found) && found != PresentFormat)
        {
            throw new InvalidDataException(
                FormattableString.Invariant($"'{path}' has format {found}, and this version of MlNetDistill reads format {PresentFormat}. ") +
                "Continue with the version that wrote it, or give another CheckpointDirectory.");
        }
    }
}

/// <summary>The student of a training, so that it can be built again without its rows.</summary>
/// <param name="Name">Name of the network.</param>
/// <param name="SpecificationType">Type of its specification, which distinguishes an application's own networks.</param>
/// <param name="Specification">Its specification as JSON.</param>
/// <param name="Input">Its input, with the constants that scale it.</param>
/// <param name="Outputs">Number of its outputs.</param>
/// <param name="Classes">Names of the classes in the order of the outputs; null if they have none.</param>
/// <param name="Columns">The names of its columns; null for a student of embeddings.</param>
internal sealed record DescribedStudent(
    string Name, string SpecificationType, string Specification, NetworkInput Input, int Outputs, IReadOnlyList<string>? Classes, DescribedColumns? Columns)
{
    /// <summary>The network and its input, in one line.</summary>
    public string Describe() => $"{SpecificationType} {Specification} over {Input} with {Outputs} outputs";
}

/// <summary>The names of a student's columns.</summary>
/// <param name="Label">The label; null if there is none.</param>
/// <param name="Features">The features.</param>
/// <param name="Score">The probabilities.</param>
/// <param name="PredictedLabel">The predicted class.</param>
internal sealed record DescribedColumns(string? Label, string Features, string Score, string PredictedLabel);
