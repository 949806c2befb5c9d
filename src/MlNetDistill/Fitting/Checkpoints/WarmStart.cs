using MlNetDistill.Core;
using MlNetDistill.Networks;
using MlNetDistill.Training;

namespace MlNetDistill.Fitting;

/// <summary>The weights that a student starts from: the last ones of the student of an earlier training.</summary>
internal static class WarmStart
{
    private const string FileName = "warm-start.safetensors";

    /// <summary>Compares the students of two trainings, of which one starts from the other.</summary>
    /// <exception cref="InvalidOperationException">They are different networks.</exception>
    public static void Check(DescribedStudent before, DescribedStudent now)
    {
        if (Shape(before) != Shape(now))
        {
            throw new InvalidOperationException(
                $"A warm start needs the network of the checkpoints, a {before.Name} ({before.Specification}) over {before.Input.Shape} with {before.Outputs} outputs; the student is a {now.Name} " +
                $"({now.Specification}) over {now.Input.Shape} with {now.Outputs}. Give that network, or set Checkpoints.WhenChanged to StartOver.");
        }
    }

    /// <summary>Copies the last state of a student that can be read into the folder of the training that starts from it.</summary>
    /// <param name="from">The folder of the earlier training.</param>
    /// <param name="to">The folder of the new one.</param>
    /// <exception cref="InvalidOperationException">There is no state.</exception>
    public static void Keep(string from, string to)
    {
        var start = CheckpointFiles.Find(from, FitNetworks.StudentRole).FirstOrDefault(CanBeRead) ?? Path.Combine(from, FileName);
        if (!File.Exists(start))
            throw new InvalidOperationException($"'{from}' has no checkpoint of a student that can be read, so there are no weights to start from. Set Checkpoints.WhenChanged to StartOver.");
        AtomicFile.Write(
            Path.Combine(to, FileName),
            stream =>
            {
                using var file = File.OpenRead(start);
                file.CopyTo(stream);
            },
            "the weights that the student starts from");
    }

    /// <summary>Copies the weights into a network.</summary>
    /// <exception cref="InvalidDataException">The file is damaged.</exception>
    public static void Apply(string folder, Network student)
    {
        using var saved = new SavedState(CheckpointFiles.Read(Path.Combine(folder, FileName)));
        saved.CopyWeights(student);
    }

    private static bool CanBeRead(string path)
    {
        try
        {
            CheckpointFiles.Read(path).Dispose();
            return true;
        }
        catch (Exception e) when (e is InvalidDataException or IOException)
        {
            // The one before it may be whole.
            return false;
        }
    }

    private static (string Type, string Specification, string Shape, bool IsByte, int Outputs) Shape(DescribedStudent student) =>
        (student.SpecificationType, student.Specification, $"{student.Input.Shape}", student.Input.IsByte, student.Outputs);
}
