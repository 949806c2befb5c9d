using MlNetDistill.Core;
using MlNetDistill.Data;
using static TorchSharp.torch;

namespace MlNetDistill.Fitting;

/// <summary>Hashes what the trainings of a search depend on beside their options.</summary>
internal static class TrialHash
{
    /// <summary>The hash of features, labels, weights, row ids, which rows are trained on, choose and judge, and the teacher's answers on held-out rows.</summary>
    public static string Compute(FitContext fit, JudgedRows rows, Tensor answers)
    {
        using var scope = NewDisposeScope();
        var tensors = new[] { fit.Set.Labels, fit.Set.Weights, fit.Split.Training, rows.Choosing, rows.Judging, answers };
        return Fingerprint.Compute(
        [
            // The hash of the rows does not depend on their order, and training does.
            DataHash.Compute(fit.Set),
            string.Join(',', fit.Set.RowIds),
            .. fit.Columns.Classes.Names ?? [],
            .. tensors.Select(tensor => tensor is null ? "none" : Fingerprint.Compute(tensor.cpu().contiguous().bytes)),
        ]);
    }
}
