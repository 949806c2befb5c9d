using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Networks;

namespace DoesItPay.Training;

/// <summary>The library's own search, with its defaults: once for each teacher and size, with the first seed; all seeds are trained with what it found.</summary>
internal static class DistillSearch
{
    /// <summary>The settings of the search.</summary>
    public static string Describe() => $"{new SearchOptions()}, the teacher fitted in the search";

    /// <summary>
    /// Searches, or reads what an earlier search left in the folder. The search fits the teacher itself, without the rows that it holds out: a teacher that knows their
    /// labels gives them away by its answers for rows nearby, and distilled students would look better than they are.
    /// </summary>
    public static DistillationOptions Run(Assignment work, FittedTeacher teacher, string folder) =>
        work.MlContext.MulticlassClassification.Trainers.Distill(ArmList.WithMadeUp(work) with { Teacher = teacher.Unfitted, CancellationToken = Interruption.Token })
            .Search(work.Views.View(work.Sample.All), work.Views.Encoding(), new SearchOptions { Folder = folder }).Options;

    /// <summary>Whether the student alone was found.</summary>
    public static bool IsAlone(DistillationOptions found) => found.Method.TeacherNeeds == ModelOutputs.None;

    /// <summary>Trains on all rows with what was found, which can be the student alone.</summary>
    public static ITransformer Train(Assignment work, FittedTeacher teacher)
    {
        var found = work.SearchedDistill(teacher.Name) with { Seed = work.Seed };
        return IsAlone(found)
            ? work.Fit(found with { Teacher = null, TransferRows = null, MissingLabels = MissingLabels.Error }, work.Views.View(work.Sample.Labelled))
            : work.Fit(found with { Teacher = teacher.Teacher }, work.Views.View(work.Sample.All));
    }
}
