using System.Diagnostics;
using System.Reflection;
using System.Text;
using Microsoft.ML;

namespace MlNetDistill.Tests.Support;

/// <summary>A second process, which loads a saved model with ML.NET and ONNX Runtime alone: the project MlNetDistill.Loader.</summary>
internal static class ToyLoader
{
    public static string AssemblyPath { get; } = typeof(ToyLoader).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>()
        .Single(a => a.Key == "LoaderPath").Value!;

    /// <summary>What the second process says about the rows, in the form of <see cref="ModelScores.ReadLines"/>.</summary>
    /// <param name="mlContext">Saves model and rows.</param>
    /// <param name="model">The model.</param>
    /// <param name="rows">The rows.</param>
    /// <param name="save">Saves the model to a path; null for <c>Model.Save</c>.</param>
    /// <param name="column">A vector column whose bits are the lines; null for classes and scores.</param>
    public static string[] Score(MLContext mlContext, ITransformer model, IDataView rows, Action<string>? save = null, string? column = null)
    {
        using var folder = new ToyFolder();
        var (zip, idv) = (folder.File("model.zip"), folder.File("rows.idv"));
        if (save is null)
            mlContext.Model.Save(model, rows.Schema, zip);
        else
            save(zip);
        using (var stream = File.Create(idv))
            mlContext.Data.SaveAsBinary(rows, stream);
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [AssemblyPath, zip, idv, .. column is null ? Array.Empty<string>() : [column]])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.UTF8,
        };
        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        Assert.That(process.ExitCode, Is.Zero, errors.GetAwaiter().GetResult());
        return output.Split(['\r', '\n'], StringSplitOptions.RemoveEmptyEntries);
    }
}
