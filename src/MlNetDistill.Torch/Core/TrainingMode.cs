using static TorchSharp.torch;

namespace MlNetDistill.Core;

/// <summary>
/// Turns gradients on for this thread until disposed, then restores the previous mode. The caller may have turned them off (<c>no_grad</c>,
/// <c>set_grad_enabled</c>) or be in inference mode, whose tensors can never have gradients.
/// </summary>
/// <remarks>
/// Training neither reads nor changes the process-wide defaults of TorchSharp (element type, device), because other threads of the application rely on them:
/// every tensor is created with an explicit type and device. Only user-defined modules and losses draw from the process-wide generator.
/// </remarks>
internal sealed class TrainingMode : IDisposable
{
    // Leaving inference mode turns gradients on; disposing restores both.
    private readonly IDisposable _gradients = inference_mode(false);

    public void Dispose() => _gradients.Dispose();
}
