using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>What a model from elsewhere says of its input.</summary>
/// <param name="Model">The model in messages: "The ONNX model 'a.onnx'".</param>
/// <param name="Dimensions">Declared dimensions, the batch first, null where one is free; null as a whole where nothing is declared.</param>
/// <param name="Type">Element type: a floating-point type, or bytes.</param>
/// <param name="Usual">How its kind of model lays out images where the dimensions do not tell; Auto where there is no custom.</param>
internal sealed record ModelInput(string Model, IReadOnlyList<int?>? Dimensions, ScalarType Type, ImageLayout DefaultLayout = ImageLayout.Auto)
{
    /// <summary>Type and dimensions as a message names them: "float32 N×3×32×32".</summary>
    public string Declared => Dimensions is null
        ? $"{TypeName(Type)} of an undeclared shape"
        : $"{TypeName(Type)} {string.Join('×', Dimensions.Select((d, i) => d?.ToString() ?? (i == 0 ? "N" : "?")))}";

    public static string TypeName(ScalarType type) => type == ScalarType.Byte ? "uint8" : type.ToString().ToLowerInvariant();

    public InvalidOperationException CreateError(InputShape rows, string remedy) => new($"{Model} reads {Declared}, and its rows are {rows}: {remedy}");
}
