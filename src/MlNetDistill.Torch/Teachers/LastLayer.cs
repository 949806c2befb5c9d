using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>The last layer of a teacher's network.</summary>
/// <param name="Weight">Classes×embedding.</param>
/// <param name="Bias">One for each class.</param>
internal sealed record LastLayer(Tensor Weight, Tensor Bias);
