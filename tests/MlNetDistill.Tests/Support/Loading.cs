using Microsoft.ML;
using MlNetDistill.Export;

namespace MlNetDistill.Tests.Support;

/// <summary>
/// ML.NET's own load, again where the random name of the network's file made it fail (<c>OnnxFileName</c>): of the thousands of loads of a test run, one would.
/// </summary>
internal static class Loading
{
    public static ITransformer Loaded(this MLContext mlContext, string path) => mlContext.Loaded(File.ReadAllBytes(path), out _);

    public static ITransformer Loaded(this MLContext mlContext, byte[] zip) => mlContext.Loaded(zip, out _);

    public static ITransformer Loaded(this MLContext mlContext, byte[] zip, out DataViewSchema inputSchema)
    {
        (var model, inputSchema) = OnnxFileName.LoadWithRetry(() => (mlContext.Model.Load(new MemoryStream(zip), out var schema), schema));
        return model;
    }
}
