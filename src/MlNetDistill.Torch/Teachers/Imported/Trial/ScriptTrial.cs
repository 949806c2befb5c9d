using MlNetDistill.Core;
using static TorchSharp.torch;

namespace MlNetDistill.Teachers;

/// <summary>A TorchScript file to be loaded and run in a separate process, where a crash does no harm.</summary>
/// <param name="Path">The file.</param>
/// <param name="Outputs">The meaning of its outputs.</param>
/// <param name="Shape">Shape of a row of the training set.</param>
/// <param name="IsByte">Whether its values are bytes.</param>
/// <param name="Input">The settings of the model's input.</param>
/// <param name="BatchSize">Maximum rows in one run.</param>
internal sealed record ScriptTrial(string Path, TorchScriptOutputs Outputs, InputShape Shape, bool IsByte, TeacherInput Input, int BatchSize)
{
    /// <summary>Loads the file. Returns why it cannot be used; null if it can.</summary>
    public string? FindFault()
    {
        try
        {
            TorchScriptModel.Load(Path, "", Outputs, Shape, IsByte, Input, CPU, BatchSize, _ => { }).Dispose();
            return null;
        }
        catch (InvalidOperationException e)
        {
            return e.Message;
        }
    }
}
