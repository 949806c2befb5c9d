using System.Text.RegularExpressions;
using Microsoft.ML.OnnxRuntime;

namespace MlNetDistill.Teachers;

/// <summary>Explains the errors with which ONNX Runtime fails to load a model.</summary>
internal static partial class OnnxFault
{
    public static InvalidOperationException CreateLoadingError(string title, OnnxLayout layout, OnnxRuntimeException inner)
    {
        var message = inner.Message;
        var reason =
            IrVersion().Match(message) is { Success: true } ir
                ? $"is of IR version {ir.Groups[1].Value}, newer than this ONNX Runtime, which reads up to {ir.Groups[2].Value}. Update Microsoft.ML.OnnxRuntime, " +
                    "or export with an older onnx package."
            : Opset().Match(message) is { Success: true } opset
                ? $"uses opset {opset.Groups[1].Value}, newer than this ONNX Runtime, which reads up to {opset.Groups[2].Value}. Update Microsoft.ML.OnnxRuntime, " +
                    $"or export with opset_version={opset.Groups[2].Value} or lower."
            : UnknownOperator().IsMatch(message)
                ? "uses an operator that ONNX Runtime does not have" +
                    (layout.CustomDomains.Count > 0 ? $" (operators of {string.Join(", ", layout.CustomDomains)})" : "") +
                    ". Custom operators cannot be loaded; export the model with the operators of ONNX only."
            : "cannot be loaded by ONNX Runtime. Check the file with onnx.checker, or export it again.";
        return new InvalidOperationException($"{title} {reason} ({message.Trim()})", inner);
    }

    [GeneratedRegex(@"Unsupported model IR version: (\d+), max supported IR version: (\d+)")]
    private static partial Regex IrVersion();

    [GeneratedRegex(@"Opset (\d+) is under development.*? till opset (\d+)", RegexOptions.Singleline)]
    private static partial Regex Opset();

    [GeneratedRegex(@"is not a registered function/op|No Op registered for|Unrecognized operator|Could not find an implementation")]
    private static partial Regex UnknownOperator();
}
