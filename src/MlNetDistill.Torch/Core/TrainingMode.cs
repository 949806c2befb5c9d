using static TorchSharp.torch;

namespace MlNetDistill.Core;

/// <summary>
/// Gradients as training needs them, on this thread, until disposed: a caller may have turned them off (<c>no_grad</c>, <c>set_grad_enabled</c>) or be in
/// inference mode, whose tensors can never have any. What the caller had is then restored.
/// </summary>
/// <remarks>
/// The process-wide defaults of TorchSharp (element type, device) are neither read nor changed in training, as other threads of the application go by them:
/// whatever makes a tensor says both. The process-wide generator is only drawn from by modules and losses of the application's own.
/// </remarks>
internal sealed class TrainingMode : IDisposable
{
    // Leaving inference mode turns gradients on; its guard restores both.
    private readonly IDisposable _gradients = inference_mode(false);

    public void Dispose() => _gradients.Dispose();
}
