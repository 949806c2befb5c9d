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
    public static string[] Score(MLContext mlContext, ITransformer model, IDataView rows, Action<string>? save = null)
    {
        using var folder = new ToyFolder();
        var (zip, idv) = (folder.File("model.zip"), folder.File("rows.idv"));
        if (save is null)
            mlContext.Model.Save(model, rows.Schema, zip);
        else
            save(zip);
        using (var stream = File.Create(idv))
            mlContext.Data.SaveAsBinary(rows, stream);
        var start = new ProcessStartInfo(Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? "dotnet", [AssemblyPath, zip, idv])
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
