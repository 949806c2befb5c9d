using Microsoft.ML;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.Transforms.Onnx;

namespace MlNetDistill.Seam;

/// <summary>
/// ML.NET makes session options for every ONNX model, and ONNX Runtime 1.23's binding passes their handle without keeping them alive: a garbage
/// collection while a large model is being made ready frees them, and the process dies. Here all sessions have one set of options, which lives as
/// long as the process.
/// </summary>
internal static class OnnxSessions
{
    private static readonly Lazy<SessionOptions> Options = new(() => new SessionOptions());

    /// <summary>The same context, whose ONNX models are made with lasting options.</summary>
    public static MLContext WithLastingOptions(this MLContext context)
    {
        context.SetOnnxSessionOption(new OnnxSessionOptions { CreateSessionOptions = () => Options.Value });
        return context;
    }
}
