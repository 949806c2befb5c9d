using DoesItPay.Data;
using Microsoft.ML;
using MlNetDistill;
using MlNetDistill.Methods;

namespace DoesItPay.Training;

/// <summary>
/// The recipe of AutoGluon's <c>distill</c> (its code, with its defaults): labelled rows keep their labels, new rows get the teacher's probabilities, both count the same
/// in a cross-entropy without temperature. The new rows are made up by spunge, five for each labelled one; where there are unlabelled rows, these are used instead.
/// </summary>
internal static class AutoGluon
{
    public static DistillationOptions Options(Assignment work) => work.Options(work.Epochs) with
    {
        // All that is learnt is in the column: a labelled row has probability 1 for its class. At T = 1, KL differs from cross-entropy by a constant.
        Teacher = Teacher.FromColumn(nameof(Record.Target), classNames: work.Views.Set.Classes),
        Method = DistillationMethod.Kd(temperature: 1, alpha: 1),
        MissingLabels = MissingLabels.TeacherOnly,
    };

    public static int AddedRows(Sample sample) => sample.Unlabelled.Length > 0 ? sample.Unlabelled.Length : Spunge.Count(sample.Labelled);

    public static string Describe(Assignment work) => $"{Options(work)}\n{(work.Sample.Unlabelled.Length > 0 ? "unlabelled rows" : Spunge.Description)}";

    public static ITransformer Train(Assignment work, FittedTeacher teacher)
    {
        var (labelled, unlabelled) = work.Sample;
        var added = unlabelled.Length > 0 ? unlabelled : Spunge.Rows(labelled, work.Seed);
        var classes = work.Views.Set.Classes;
        Record[] rows =
        [
            .. labelled.Select(row => row.WithTarget([.. classes.Select(name => name == row.Label ? 1f : 0f)])),
            .. added.Zip(teacher.Scores(added), (row, scores) => row.WithTarget(scores)),
        ];
        return work.Fit(Options(work), work.Views.View(rows, hasTarget: true));
    }
}
