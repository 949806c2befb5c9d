using Microsoft.ML.Runtime;
using MlNetDistill.Data;
using MlNetDistill.Diagnostics;

namespace MlNetDistill.Teachers;

/// <summary>Classes that a pipeline is not fitted on, because their rows are held out or in the fold that is scored.</summary>
internal static class UnseenClasses
{
    /// <summary>The classes of which every row is held out, with their shares of the labelled rows: the model does not know them.</summary>
    public static IReadOnlyDictionary<int, double> FindHeldOut(TeacherRequest request)
    {
        if (request.HeldOut.Count == 0)
            return new Dictionary<int, double>();
        using var labels = request.Set.Labels.cpu();
        var rows = labels.data<long>().ToArray().Index().Where(row => row.Item != IRowSource.MissingLabel).ToLookup(row => (int)row.Item, row => request.Set.RowIds[row.Index]);
        return rows.Where(of => of.All(request.HeldOut.Contains)).ToDictionary(of => of.Key, of => of.Count() / (double)rows.Sum(all => all.Count()));
    }

    /// <summary>Warns of classes that the model does not know because every row of them is held out.</summary>
    public static void WarnOfHeldOut(IReadOnlyDictionary<int, double> unseen, TeacherRequest request)
    {
        foreach (var (unseenClass, share) in unseen)
        {
            request.Channel.Warning(
                $"All rows of the class '{request.Columns.Classes.NameOf(unseenClass)}' are held out, so the teacher is not fitted on it: its probability is its share of the labelled rows, {share:0.######}. Add rows of it, or hold out others.");
        }
    }

    /// <summary>Warns of classes that the model of a fold does not know because their only row is in the fold.</summary>
    public static void WarnOfSingle(IReadOnlyDictionary<int, double> unseen, TeacherRequest request, int fold)
    {
        foreach (var (unseenClass, share) in unseen)
        {
            request.Channel.Warning(
                $"The class '{request.Columns.Classes.NameOf(unseenClass)}' has one row{(request.HeldOut.Count == 0 ? "" : " that is not held out")}, in fold {fold + 1}, so the teacher of that fold was not fitted on it: its probability there is its share of the labelled rows, {share:0.######}. Add rows of it, or leave out folds.");
        }
    }
}
