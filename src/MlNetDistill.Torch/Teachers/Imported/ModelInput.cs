using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>The input that an imported model declares.</summary>
/// <param name="Model">The model in messages: "The ONNX model 'a.onnx'".</param>
/// <param name="Dimensions">Declared dimensions, the batch first; null for a dynamic dimension, null as a whole if nothing is declared.</param>
/// <param name="Type">Element type: a floating-point type, or bytes.</param>
/// <param name="DefaultLayout">The image layout to use if the dimensions are ambiguous; Auto if this kind of model has no usual layout.</param>
internal sealed record ModelInput(string Model, IReadOnlyList<int?>? Dimensions, ScalarType Type, ImageLayout DefaultLayout = ImageLayout.Auto)
{
    /// <summary>Type and dimensions for messages: "float32 N×3×32×32".</summary>
    public string Declared => Dimensions is null
        ? $"{TypeName(Type)} of an undeclared shape"
        : $"{TypeName(Type)} {string.Join('×', Dimensions.Select((d, i) => d?.ToString() ?? (i == 0 ? "N" : "?")))}";

    public static string TypeName(ScalarType type) => type == ScalarType.Byte ? "uint8" : type.ToString().ToLowerInvariant();

    public InvalidOperationException CreateError(InputShape rows, string remedy) => new($"{Model} reads {Declared}, but the rows are {rows}: {remedy}");
}
