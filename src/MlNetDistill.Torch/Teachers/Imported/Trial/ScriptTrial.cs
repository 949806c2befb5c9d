using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A TorchScript file to be loaded and asked, somewhere where it can do no harm.</summary>
/// <param name="Path">The file.</param>
/// <param name="Outputs">Which of its outputs is what.</param>
/// <param name="Shape">Shape of a row of the training set.</param>
/// <param name="IsByte">Whether its values are bytes.</param>
/// <param name="Input">What is known of the model's input.</param>
/// <param name="IsInterleaved">The same, internally.</param>
/// <param name="ColumnDimensions">The same, internally.</param>
/// <param name="BatchSize">Rows in one run at most.</param>
internal sealed record ScriptTrial(
    string Path, TorchScriptOutputs Outputs, InputShape Shape, bool IsByte, TeacherInput Input, bool IsInterleaved, IReadOnlyList<int> ColumnDimensions, int BatchSize)
{
    /// <summary>Why it cannot be used; null if it can.</summary>
    public string? FindFault()
    {
        try
        {
            var input = Input with { IsInterleaved = IsInterleaved, ColumnDimensions = ColumnDimensions };
            TorchScriptModel.Load(Path, "", Outputs, Shape, IsByte, input, CPU, BatchSize, _ => { }).Dispose();
            return null;
        }
        catch (InvalidOperationException e)
        {
            return e.Message;
        }
    }
}
