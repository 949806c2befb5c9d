using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using MlNetDistill.Training;

namespace MlNetDistill.Diagnostics;

/// <summary>
/// Appends each report to a file as a line of JSON (UTF-8): the time, then every value of <see cref="TrainingProgress"/>. Training continues when the line is
/// written.
/// </summary>
/// <remarks>
/// <para>An example, on three lines here:</para>
/// <code>
/// {"time":"2026-03-01T12:00:00.0000000+00:00","stage":"KD","epoch":1,"epochs":30,"losses":{"crossEntropy":1.25,"kd":0.5,"total":0.575},"learningRate":0.001,
///  "validation":{"measure":"accuracy","quality":0.875,"loss":0.4},"rowsPerSecond":25000,"timeLeft":"00:00:29","elapsed":"00:00:01",
///  "meanGradientNorm":0.5,"largestGradientNorm":1.5,"largestLogit":4.25,"skippedBatches":0,"timesGoneBack":0}
/// </code>
/// <para>A missing number is <c>null</c>; a number that is not finite is a string: <c>"NaN"</c>, <c>"Infinity"</c>. To read the file:</para>
/// <code>
/// var history = File.ReadLines("progress.jsonl").Select(line => JsonSerializer.Deserialize&lt;TrainingProgress&gt;(line, JsonSerializerOptions.Web)!);
/// </code>
/// </remarks>
public sealed class JsonLinesProgress : ProgressSink, IDisposable
{
    // Stage names contain × and arrows, which need no escaping outside a page.
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    };

    private readonly AppendOnlyFile _file;

    /// <summary>Opens the file, or creates it.</summary>
    /// <param name="path">The file. Lines are added after those it has.</param>
    /// <param name="onError">Called on the training thread for each report that could not be written. An exception that it throws is logged, and training continues.</param>
    /// <exception cref="IOException">The file cannot be opened for writing.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be written.</exception>
    public JsonLinesProgress(string path, Action<Exception>? onError = null)
        : base(onError)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        var endsWithinLine = EndsWithinLine(path);
        _file = new AppendOnlyFile(path, FileMode.OpenOrCreate);
        if (!endsWithinLine)
            return;
        try
        {
            _file.Append("\n"u8);
        }
        catch
        {
            _file.Dispose();
            throw;
        }
    }

    /// <summary>Closes the file.</summary>
    public void Dispose() => _file.Dispose();

    private protected override void Write(TrainingProgress progress)
    {
        var line = JsonSerializer.SerializeToUtf8Bytes(
            new
            {
                Time = DateTimeOffset.UtcNow.ToString("O"),
                progress.Stage,
                progress.Epoch,
                progress.Epochs,
                progress.Losses,
                progress.LearningRate,
                progress.Validation,
                progress.RowsPerSecond,
                progress.TimeLeft,
                progress.Elapsed,
                progress.MeanGradientNorm,
                progress.LargestGradientNorm,
                progress.LargestLogit,
                progress.SkippedBatches,
                progress.TimesGoneBack,
            },
            Json);
        _file.Append([.. line, (byte)'\n']);
    }

    /// <summary>A process that ended while it was writing, or a full disk, leaves an incomplete line, which the next report must not continue.</summary>
    private static bool EndsWithinLine(string path)
    {
        if (!File.Exists(path))
            return false;
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        if (file.Length == 0)
            return false;
        file.Position = file.Length - 1;
        return file.ReadByte() != '\n';
    }
}
